"""Translation tables read as a whole: runs of like entries, as a tree, as mappings, as the way to one address."""
