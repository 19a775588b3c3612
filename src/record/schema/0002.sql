-- The second layout: where providers come from, and which version of them wrote a resource. Empty for what was
-- written before, by providers that are linked in.

ALTER TABLE resources ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE resources ADD COLUMN provider_version TEXT NOT NULL DEFAULT '';

ALTER TABLE images ADD COLUMN source TEXT DEFAULT '';
ALTER TABLE images ADD COLUMN provider_version TEXT DEFAULT '';

ALTER TABLE journal ADD COLUMN source TEXT;
