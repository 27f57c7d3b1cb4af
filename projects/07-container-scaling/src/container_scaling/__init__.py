"""How many replicas of a prediction service does a hospital need, and what happens when there are too few?

A served model is measured under load, a queueing model fitted to its service times says how many replicas a demand needs, and a further
load test says whether it was right. The same images run on Docker, Docker Swarm and Kubernetes.
"""
