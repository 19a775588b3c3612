-- Which objects may be deleted, replaced or forgotten only with a signed override, whatever becomes of their blocks.

ALTER TABLE resources ADD COLUMN protected INTEGER NOT NULL DEFAULT 0 CHECK (protected IN (0, 1));

ALTER TABLE images ADD COLUMN protected INTEGER DEFAULT 0;
