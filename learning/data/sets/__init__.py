"""The data sets, a file each: where they can lie, and what of them is training and test."""
