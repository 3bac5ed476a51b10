"""Cross-view data sets as they lie on disk: ground, panorama, drone and map pictures beside satellite tiles."""
