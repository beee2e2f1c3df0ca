"""What the gate survives: each module is a part that breaks something and says what came of it."""
