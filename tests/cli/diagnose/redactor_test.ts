import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SortedJsonValue } from "../../../src/broker/admin/sorted_json.ts";
import { Redactor } from "../../../src/cli/diagnose/redactor.ts";

const redactor = new Redactor({ home: "/home/ann", salt: "machine" });
const ANN = redactor.json({ uid: 1000 }) as { uid: string };

describe("Redactor.text()", () => {
  test("writes the home directory as ~, and no other that begins like it", () => {
    const text = "/home/ann /home/ann/x:/home/ann:/home/anna /home/ann-2 /home/ann.old /srv/home/ann/y";
    assert.equal(redactor.text(text), "~ ~/x:~:/home/anna /home/ann-2 /home/ann.old /srv~/y");
  });

  test("takes a home directory for text, also one with a slash at its end, and / for none", () => {
    assert.equal(new Redactor({ home: "/h+(x)/", salt: "" }).text("/h+(x)/a /hh(x)"), "~/a /hh(x)");
    for (const home of ["/", "", undefined]) {
      assert.equal(new Redactor({ home, salt: "" }).text("/etc/hosts"), "/etc/hosts", String(home));
    }
  });

  test("takes both spellings of a home directory of Windows, so that JSON stays JSON", () => {
    const windows = new Redactor({ home: "C:\\Users\\Ann", salt: "" });
    assert.equal(windows.text("C:\\Users\\Ann\\x"), "~\\x");
    assert.deepEqual(JSON.parse(windows.text(JSON.stringify({ path: "C:\\Users\\Ann\\x" }))), {
      path: "~\\x",
    });
  });

  test("blanks the value that is assigned to a secret name", () => {
    assert.equal(
      redactor.text("run API_KEY=abc DB_PASSWORD='x y' GH_TOKEN=\"1 2\" CLIENT_SECRET=z; PATH=/bin monkey=1"),
      "run API_KEY=[redacted] DB_PASSWORD=[redacted] GH_TOKEN=[redacted] CLIENT_SECRET=[redacted]; " +
        "PATH=/bin monkey=1",
    );
  });

  test("hashes user ids where they stand for one, and leaves versions alone", () => {
    const text = "/run/user/1000/x /tmp/running-process-1000/broker /tmp/.rp-1000/a uid=1000 uid 1000";
    assert.equal(
      redactor.text(text),
      `/run/user/${ANN.uid}/x /tmp/running-process-${ANN.uid}/broker /tmp/.rp-${ANN.uid}/a uid=${ANN.uid} uid ${ANN.uid}`,
    );
    assert.equal(redactor.text("running-process-4.5.7 pid 1000"), "running-process-4.5.7 pid 1000");
  });

  test("hashes Windows identities in both spellings", () => {
    const [sid, hex] = redactor.text("S-1-5-21-1-2-1001 windows-sid:010500").split(" ");
    assert.match(sid!, /^id-[0-9a-f]{16}$/);
    assert.match(hex!, /^id-[0-9a-f]{16}$/);
    assert.notEqual(sid, hex);
  });
});

describe("Redactor.json()", () => {
  test("redacts texts and names at every depth, and leaves numbers, null and truth values", () => {
    const value: SortedJsonValue = {
      deep: [{ path: "/home/ann/x", "/home/ann": 1, count: 2n, nothing: null, yes: true }],
    };
    const wanted = { deep: [{ path: "~/x", "~": 1, count: 2n, nothing: null, yes: true }] };
    assert.deepEqual(redactor.json(value), wanted);
  });

  test("blanks members with a secret name, whatever is in them", () => {
    const value = { API_KEY: "abc", NESTED_TOKEN: { a: 1 }, connections_passed: 5, keys: ["k"] };
    const wanted = { API_KEY: "[redacted]", NESTED_TOKEN: "[redacted]", connections_passed: 5, keys: ["k"] };
    assert.deepEqual(redactor.json(value), wanted);
  });

  test("blanks them in any case where users choose the names", () => {
    for (const member of ["labels", "environment", "extra", "env"]) {
      const value = { [member]: { db_password: "x", Api_Key: "y", interpreter: "deno" } };
      const wanted = { [member]: { db_password: "[redacted]", Api_Key: "[redacted]", interpreter: "deno" } };
      assert.deepEqual(redactor.json(value), wanted);
    }
  });

  test("hashes who somebody is: the same for the same on one host, another for another or elsewhere", () => {
    const value = { uid: 1000, gid: 1000, windows_sid: "", uid_or_sid: "1000", sid: "S-1-5-18", pid: 1000 };
    const seen = redactor.json(value) as Record<string, unknown>;
    assert.match(ANN.uid, /^id-[0-9a-f]{16}$/);
    assert.deepEqual([seen["uid"], seen["gid"], seen["uid_or_sid"]], [ANN.uid, ANN.uid, ANN.uid]);
    assert.deepEqual([seen["windows_sid"], seen["pid"]], ["", 1000]);
    assert.notEqual(seen["sid"], "S-1-5-18");
    assert.notDeepEqual(redactor.json({ uid: 1001 }), ANN);
    assert.notDeepEqual(new Redactor({ home: "/home/ann", salt: "other" }).json({ uid: 1000 }), ANN);
  });
});
