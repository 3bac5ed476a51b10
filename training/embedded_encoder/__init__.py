"""How the network of the embedded image encoder is made from published weights."""
