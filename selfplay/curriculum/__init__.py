"""The curriculum: ratings on one anchored scale decide which problems come next."""
