"""Many photos: a row for each as it is done, on all cores, and none lost when it is interrupted."""
