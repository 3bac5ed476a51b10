"""What an investigator writes in the chat: understood, shown, and undone."""
