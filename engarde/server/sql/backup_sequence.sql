-- Where a sequence is.
SELECT last_value AS last, is_called AS called FROM {sequence}
