"""Data of one's own: tables, arrays, folders of images and texts, and what is made of them for owners."""
