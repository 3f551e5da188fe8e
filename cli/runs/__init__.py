"""What commands do with runs: drive one, read what is recorded, evaluate what one found."""
