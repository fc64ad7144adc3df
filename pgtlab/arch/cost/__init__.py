"""What translation costs: traces, TLBs and walk caches, and how many walks and reads are left."""
