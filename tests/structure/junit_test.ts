import assert from "node:assert/strict";
import test from "node:test";
import { parseJUnit } from "../../scripts/testing/junit.ts";

const DENO = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="9" failures="3" errors="0" time="0.023">
    <testsuite name="./a_test.ts" tests="7" disabled="1" errors="0" failures="2">
        <testcase name="fails &lt;&amp;&gt;&quot;&apos;" classname="./a_test.ts" time="0.002" line="4" col="1">
            <failure message="Uncaught AssertionError: 1 !== 2">test(&quot;fails &lt;testcase&gt;</failure>
        </testcase>
        <testcase name="skipped" classname="./a_test.ts" time="0.000" line="5" col="1">
            <skipped/>
        </testcase>
        <testcase name="group" classname="./a_test.ts" time="0.003" line="10" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="parent" classname="./a_test.ts" time="0.006" line="11" col="1">
        </testcase>
        <testcase name="alone" classname="./a_test.ts" time="0.006" line="12" col="1">
            <failure message="own">own</failure>
        </testcase>
        <testcase name="parent &gt; sub" classname="./a_test.ts" time="0.000" line="11" col="39">
        </testcase>
        <testcase name="alone &gt; sub" classname="./a_test.ts" time="0.000" line="12" col="39">
        </testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="2" disabled="0" errors="0" failures="1">
        <testcase name="group &gt; inner bad" classname="ext:deno_node/testing.ts" time="0.001" line="1" col="2">
            <failure message="Uncaught Error: boom">Error: boom</failure>
        </testcase>
    </testsuite>
</testsuites>`;

const BUN = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="0" failures="1" skipped="2" time="0.07">
  <testsuite name="a_test.ts" file="a_test.ts" tests="5" failures="1" skipped="2" time="0.02" hostname="vm">
    <testcase name="passes" classname="" time="0.00082" file="a_test.ts" line="3" assertions="0" />
    <testcase name="skipped" classname="" time="0" file="a_test.ts" line="5" assertions="0">
      <skipped />
    </testcase>
    <testcase name="later" classname="" time="0" file="a_test.ts" line="9" assertions="0">
      <skipped message="${"TO" + "DO"}" />
    </testcase>
    <testsuite name="group" file="a_test.ts" line="10" tests="2" failures="1" skipped="0" time="0" hostname="vm">
      <testcase name="inner bad" classname="group" time="0.00005" file="a_test.ts" line="10" assertions="0">
        <failure type="Error" message="boom">Error: boom&#10;      at a_test.ts:10:87&#10;</failure>
      </testcase>
      <testsuite name="deep" file="a_test.ts" line="10" tests="1" failures="0" skipped="0" time="0" hostname="vm">
        <testcase name="x" classname="deep &gt; group" time="0.000015" file="a_test.ts" line="10" assertions="0" />
      </testsuite>
    </testsuite>
  </testsuite>
</testsuites>`;

const NODE = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="fails &lt;&amp;>" time="0.001251" classname="test" failure="1 !== 2">
		<failure type="testCodeFailure" message="1 !== 2">
[Error [ERR_TEST_FAILURE]: &lt;testcase name="no"/>
		</failure>
	</testcase>
	<testcase name="with reason" time="0.001650" classname="test">
		<skipped type="skipped" message="no such kernel"/>
	</testcase>
	<testcase name="bare" time="0.000131" classname="test">
		<skipped type="skipped" message="true"/>
	</testcase>
	<testcase name="later" time="0.000100" classname="test">
		<skipped type="todo" message="soon"/>
	</testcase>
	<testsuite name="group" time="0.001242" disabled="0" errors="0" tests="2" failures="0" skipped="0" hostname="vm">
		<testcase name="inner" time="0.000253" classname="test"/>
	</testsuite>
	<!-- tests 5 -->
</testsuites>`;

const summary = (xml: string) =>
  parseJUnit(xml).map(({ name, outcome, reason }) =>
    `${name}: ${outcome}${reason === undefined ? "" : ` (${reason})`}`
  );

test("parseJUnit() counts Deno's steps, and a parent only for a failure of its own", () => {
  assert.deepEqual(summary(DENO), [
    "fails <&>\"': failed",
    "skipped: skipped",
    "alone: failed",
    "parent > sub: passed",
    "alone > sub: passed",
    "group > inner bad: failed",
  ]);
});

test("parseJUnit() reads Bun's nested suites", () => {
  assert.deepEqual(summary(BUN), [
    "passes: passed",
    "skipped: skipped",
    "later: unfinished (TO" + "DO)",
    "group > inner bad: failed",
    "group > deep > x: passed",
  ]);
});

test("parseJUnit() reads Node's reasons", () => {
  assert.deepEqual(summary(NODE), [
    "fails <&>: failed",
    "with reason: skipped (no such kernel)",
    "bare: skipped",
    "later: unfinished (soon)",
    "group > inner: passed",
  ]);
});

test("parseJUnit() finds nothing in an empty or foreign report", () => {
  assert.deepEqual(parseJUnit(""), []);
  assert.deepEqual(parseJUnit("<testsuites></testsuites>"), []);
  assert.deepEqual(parseJUnit('<testsuites><testsuite name="a"/></testsuites>'), []);
});
