"""The stand-ins, made and looked at in a real engine."""
