"""What the chat shows of an answer: card, map, picture, belief, evidence, candidates, trace."""
