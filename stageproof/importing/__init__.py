"""Other tools' test files as contracts: what can be stated is stated, what cannot is listed. Nothing is dropped."""
