"""Trained models together as one: nothing is trained here, members' folders lie within."""
