"""Files and the hub to rows: labels, splits, audit, snapshots, the sample, drafting a task."""
