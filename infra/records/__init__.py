"""What happened, in a database: SQLAlchemy models, migrations, the store."""
