"""How the network learns: attempts -> advantages -> one optimiser step, and the warm-up before."""
