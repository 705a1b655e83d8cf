import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

#: What flows out of a node in a fiscal year above what flows into it; no row when it fits, `flows_in` null where a
#: management grant would be split. A program has its budget lines of the year without those that are or include a
#: management grant; a fund all its tranches so far, and no later year may be overdrawn either; the others have what is
#: allocated to them. Contracts are made from a project's allocation, subcontracts from an institution's contract.
#: The flow 'part' names each institution of a project with contracts above its part of the project's split.
FUND_EXCESS = """
CREATE OR REPLACE FUNCTION fund_excess(node bigint, in_year integer, flow text)
RETURNS TABLE (node_id bigint, flows_in numeric, flows_out numeric) LANGUAGE plpgsql STABLE AS $body$
DECLARE
    node_kind text;
    of_program bigint;
    inward text := CASE flow WHEN 'subcontract' THEN 'contract' ELSE 'allocation' END;
BEGIN
    SELECT kind, program_id INTO node_kind, of_program FROM programs_fundnode WHERE id = node;
    IF flow = 'part' THEN
        IF node_kind = 'project' AND EXISTS (
            SELECT 1 FROM programs_fundedge
            WHERE source_id = node AND status = 'in_force' AND kind = 'allocation' AND fiscal_year = in_year
        ) THEN
            RETURN QUERY SELECT target_id,
                COALESCE(SUM(amount_yen) FILTER (WHERE kind = 'allocation'), 0),
                COALESCE(SUM(amount_yen) FILTER (WHERE kind = 'contract'), 0)
            FROM programs_fundedge WHERE source_id = node AND status = 'in_force' AND fiscal_year = in_year
            GROUP BY target_id
            HAVING COALESCE(SUM(amount_yen) FILTER (WHERE kind = 'contract'), 0)
                 > COALESCE(SUM(amount_yen) FILTER (WHERE kind = 'allocation'), 0);
        END IF;
        RETURN;
    END IF;
    IF node_kind = 'fund' THEN
        RETURN QUERY SELECT node, sums.ins, sums.outs
        FROM (
            SELECT DISTINCT fiscal_year FROM programs_fundedge
            WHERE (source_id = node OR target_id = node) AND status = 'in_force' AND fiscal_year >= in_year
        ) AS later
        CROSS JOIN LATERAL (
            SELECT COALESCE(SUM(amount_yen) FILTER (WHERE target_id = node), 0) AS ins,
                   COALESCE(SUM(amount_yen) FILTER (WHERE source_id = node), 0) AS outs
            FROM programs_fundedge
            WHERE (source_id = node OR target_id = node) AND status = 'in_force' AND kind = 'allocation'
              AND fiscal_year <= later.fiscal_year
        ) AS sums
        WHERE sums.outs > sums.ins LIMIT 1;
        RETURN;
    END IF;
    SELECT COALESCE(SUM(amount_yen), 0) INTO flows_out FROM programs_fundedge
        WHERE source_id = node AND status = 'in_force' AND kind = flow AND fiscal_year = in_year;
    IF flows_out = 0 THEN RETURN; END IF;
    SELECT COALESCE(SUM(amount_yen), 0) INTO flows_in FROM programs_fundedge
        WHERE target_id = node AND status = 'in_force' AND kind = inward AND fiscal_year = in_year;
    node_id := node;
    IF node_kind = 'program' THEN
        IF (SELECT COUNT(*) > 0 AND BOOL_AND(management_grant <> 'none') FROM programs_budgetline
                WHERE program_id = of_program AND fiscal_year = in_year) THEN
            flows_in := NULL;
            RETURN NEXT;
            RETURN;
        END IF;
        SELECT flows_in + COALESCE(SUM(line.amount_yen), 0) INTO flows_in FROM programs_budgetline line
            WHERE line.program_id = of_program AND line.fiscal_year = in_year AND line.management_grant = 'none'
              AND NOT (line.kind = 'initial_proposal' AND EXISTS (
                  SELECT 1 FROM programs_budgetline voted WHERE voted.program_id = of_program
                    AND voted.fiscal_year = in_year AND voted.kind = 'initial'));
    END IF;
    IF flows_out > flows_in THEN RETURN NEXT; END IF;
END $body$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0011_phase_locks'),
    ]

    operations = [
        migrations.RunSQL(FUND_EXCESS, migrations.RunSQL.noop),
        pgtrigger.migrations.RemoveTrigger(
            model_name='fundedge',
            name='within_its_source',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fundedge',
            trigger=pgtrigger.compiler.Trigger(name='within_its_source', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'in_force\')', constraint='CONSTRAINT', declare='DECLARE excess record;', func="\n                    PERFORM 1 FROM programs_fundnode WHERE id IN (NEW.source_id, NEW.target_id)\n                        ORDER BY id FOR NO KEY UPDATE;\n                    SELECT * INTO excess FROM (\n                        SELECT * FROM fund_excess(NEW.source_id, NEW.fiscal_year, NEW.kind)\n                        UNION ALL\n                        SELECT * FROM fund_excess(NEW.target_id, NEW.fiscal_year, 'allocation')\n                            WHERE (SELECT kind FROM programs_fundnode WHERE id = NEW.target_id) <> 'program'\n                        UNION ALL\n                        SELECT * FROM fund_excess(NEW.target_id, NEW.fiscal_year, 'contract')\n                        UNION ALL\n                        SELECT * FROM fund_excess(NEW.target_id, NEW.fiscal_year, 'subcontract')\n                        UNION ALL\n                        SELECT * FROM fund_excess(NEW.source_id, NEW.fiscal_year, 'part') AS part\n                            WHERE NEW.kind = 'allocation' OR part.node_id = NEW.target_id\n                    ) AS found WHERE NEW.reason = '' OR found.flows_in IS NULL\n                    LIMIT 1;\n                    IF FOUND THEN\n                        RAISE EXCEPTION 'fund node %, fiscal year %: % yen flow out, % in, and no reason is given',\n                            excess.node_id, NEW.fiscal_year, excess.flows_out, excess.flows_in\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'fund_edge_within_source';\n                    END IF;\n                    RETURN NULL;\n                ", hash='c3793cc3f282053d905bfad8b79447e1331adcd3', operation='INSERT OR UPDATE', pgid='pgtrigger_within_its_source_01627', table='programs_fundedge', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
    ]
