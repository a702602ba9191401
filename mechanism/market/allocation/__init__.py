"""Who imports from whom: the kernels, how they run, and the same choice by another way."""
