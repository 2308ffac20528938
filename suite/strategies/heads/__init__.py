"""A classification head: fine-tuned with its model, or trained on frozen embeddings."""
