"""What the paper says of its method, tried on invented towns (synthetic): small networks, small pictures, a CPU."""
