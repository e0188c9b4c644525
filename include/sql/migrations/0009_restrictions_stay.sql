-- Whoever may prune what is past its period can still not remove a restriction that was not lifted.
CREATE FUNCTION refuse_to_forget_a_restriction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is not lifted: it cannot be deleted', OLD.restriction_id;
END $$;
CREATE TRIGGER restrictions_stay BEFORE DELETE ON restriction_matters
    FOR EACH ROW WHEN (OLD.state <> 'lifted') EXECUTE FUNCTION refuse_to_forget_a_restriction();
