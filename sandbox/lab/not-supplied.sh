#!/bin/sh
# Stands where Boundary's program would be: no registry serves it. Its unit says why it does not run.
echo "boundary: binary not supplied; name one in BOUNDARY_BINARY and make the lab anew" >&2
exit 1
