"""What each cloud builds: one contract, one package a cloud with the same file names."""
