-- The eleventh layout: with an intent, what the blueprint makes of the object beside its value. An object that is found
-- after an interruption is recorded with it, as it would have been. Null in other events, in intents to delete, and in
-- what was written before.

ALTER TABLE journal ADD COLUMN dependencies TEXT;
ALTER TABLE journal ADD COLUMN create_before_destroy INTEGER;
ALTER TABLE journal ADD COLUMN protected INTEGER;
