"""The figures of this project, a room for each subject: bench/README.md says which script prints which figure."""
