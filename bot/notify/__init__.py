"""What staff are told, when, and where it goes. Pure: the worker sends, the store keeps."""
