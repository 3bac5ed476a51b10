"""Where references come from: folders, tables, rasters, tile sets."""
