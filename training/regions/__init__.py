"""The tables of countries and divisions that the package ships, made from published sources."""
