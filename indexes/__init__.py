"""The world before a photo arrives: photos, geodesy, countries, places, words, the grid."""
