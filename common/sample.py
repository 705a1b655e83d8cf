"""Triggers that keep sample and real records apart: nothing invented ever hangs on a real record."""

import pgtrigger

_WRITES = pgtrigger.Insert | pgtrigger.Update


def same_sample_mark(parent_column: str, parent_table: str) -> pgtrigger.Trigger:
    """This function will make a trigger that refuses a row whose mark differs from its parent's."""
    return pgtrigger.Trigger(
        name=f"sample_as_{parent_column.removesuffix('_id')}",
        when=pgtrigger.Before,
        operation=_WRITES,
        declare=[("parent_is_sample", "boolean")],
        func=f"""
            IF NEW.{parent_column} IS NULL THEN RETURN NEW; END IF;
            SELECT is_sample INTO parent_is_sample FROM {parent_table} WHERE id = NEW.{parent_column};
            IF parent_is_sample IS DISTINCT FROM NEW.is_sample THEN
                RAISE EXCEPTION 'sample and real records do not mix: % and {parent_table}', TG_TABLE_NAME
                    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_sample_mark';
            END IF;
            RETURN NEW;
        """,
    )


def no_sample_on_real(owner_column: str, owner_table: str, target_column: str, target_table: str) -> pgtrigger.Trigger:
    """This function will make a trigger that refuses a sample target (person, organization) on a real owner."""
    return pgtrigger.Trigger(
        name=f"{target_column.removesuffix('_id')}_of_{owner_column.removesuffix('_id')}",
        when=pgtrigger.Before,
        operation=_WRITES,
        declare=[("owner_is_sample", "boolean"), ("target_is_sample", "boolean")],
        func=f"""
            IF NEW.{owner_column} IS NULL OR NEW.{target_column} IS NULL THEN RETURN NEW; END IF;
            SELECT is_sample INTO owner_is_sample FROM {owner_table} WHERE id = NEW.{owner_column};
            SELECT is_sample INTO target_is_sample FROM {target_table} WHERE id = NEW.{target_column};
            IF target_is_sample AND NOT owner_is_sample THEN
                RAISE EXCEPTION 'a sample record cannot hang on a real one: % and {target_table}', TG_TABLE_NAME
                    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_sample_mark';
            END IF;
            RETURN NEW;
        """,
    )
