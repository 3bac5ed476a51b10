"""Towns: an invented world, drawn from a seed; every place is seen from above, from a drone and from the street.

town            what a town and a view of it are made of
making/         a town from a seed: look, plan, blocks, signs, position on Earth
views/          pictures of a town with labels and lists of what is seen
places          where pictures are taken; sign_ahead: where a photographer looks
shots, layouts/ which pictures a data set has, in the forms of the real ones
world           settings; write, crew, draw_town, picture_files, listings: all of it on disk
"""
