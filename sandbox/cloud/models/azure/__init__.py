"""Models of the package azure-native."""
