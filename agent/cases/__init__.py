"""Cases: what was asked, what was answered, with which tools and weights, kept in a folder each."""
