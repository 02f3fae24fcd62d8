"""What resource types mean, one folder a package; `registry` imports a folder when its package is first used."""
