"""What is proved: forms, problems, theorems, and the scripts of their derivations."""
