"""What makes an instance a machine: its image, root, disks, network, processes, and the end of all of them."""
