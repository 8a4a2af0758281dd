"""KServe's V1 and the Open Inference Protocol (V2): other bodies around the stories of /predict and /explain."""
