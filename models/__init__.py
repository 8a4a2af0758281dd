"""What is explained: model folders, their encodings, networks and backgrounds. Arrays in, arrays out."""
