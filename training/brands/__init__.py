"""Make the table of chains and public bodies, and the countries in which each has its signs."""
