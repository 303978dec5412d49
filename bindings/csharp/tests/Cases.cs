// Runs the table of cases (tests/cases/README.md) through this binding: Cases.exe GATEWAY ADMIN FOLDER FILE...
// Without files: what only this binding has. A line a case: "ok NAME", or "FAILED NAME: why".
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Threading;
using Zvpos;

static class Cases
{
    const string OwnConfig = "{\"openId\":\"fake-open-id-for-test-only-0001\",\"grantCode\":\"fake-grant-code-0001\","
        + "\"openKey\":\"fake-open-key-for-test-only-0001\",\"endpoint\":\"$GATEWAY/api/v2\",\"journal\":\"$JOURNAL\"}";

    /// What the library was started with.
    internal static string Config;

    static string gateway, admin, folder;
    static Zv zv;
    static int journals, failed;

    static int Main(string[] arguments)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        gateway = arguments[0];
        admin = arguments[1];
        folder = arguments[2];
        foreach (var file in arguments.Skip(3))
        {
            var text = File.ReadAllText(file);
            foreach (var one in Items(text, "cases")) Report(Answer.Field(one, "name"), () => Run(text, one));
        }
        if (arguments.Length == 3)
            foreach (var own in Own.All) Report(own.Key, () => Prepared(OwnConfig, () => own.Value(zv)));
        return failed == 0 ? 0 : 1;
    }

    static void Report(string name, Func<string> run)
    {
        var wrong = run();
        if (wrong != null) failed++;
        Console.WriteLine(wrong == null ? "ok " + name : "FAILED " + name + ": " + wrong);
    }

    /// What is wrong, or null.
    static string Run(string file, string one)
    {
        return Prepared(Answer.Field(file, "config"), () =>
        {
            foreach (var request in Items(one, "admin"))
                Http(Answer.Field(request, "0"), Answer.Field(request, "1"), Answer.Field(request, "2"));
            foreach (var call in Items(one, "calls"))
            {
                var wrong = Until(Answer.Field(call, "wait") == "true", () => Held(call, Call(call)));
                if (wrong != null) return Answer.Field(call, "call") + ": " + wrong;
            }
            foreach (var net in Items(one, "net"))
            {
                string bizId = Answer.Field(net, "0"), expected = Answer.Field(net, "1");
                var wrong = Until(true, () => Differs("net", expected, Answer.Field(Http("GET", "/ledger?bizId=" + bizId, null), "net")));
                if (wrong != null) return bizId + ": " + wrong;
            }
            return null;
        });
    }

    /// On a simulator that was reset, with a journal of its own, the library started and in the end stopped.
    static string Prepared(string template, Func<string> body)
    {
        Http("POST", "/reset", null);
        var journal = Path.Combine(folder, "journal-" + ++journals + ".db").Replace('\\', '/');
        Config = template.Replace("$GATEWAY", gateway).Replace("$JOURNAL", journal);
        try
        {
            using (zv = Zv.Start(Config)) return body();
        }
        catch (Exception error)
        {
            return error.ToString().Replace("\n", " ");
        }
    }

    static Answer Call(string call)
    {
        string name = Answer.Field(call, "call"), given = Answer.Field(call, "request");
        var request = given == "" ? null : given.Replace("$JOURNAL_ID", zv.Started["data.journal_id"]);
        if (name.StartsWith("start:")) return zv.StartAsync(name.Substring(6), request).Result;
        if (name.StartsWith("call:")) return zv.Call(name.Substring(5), request);
        switch (name)
        {
            case "init": return Init(request ?? Config);
            case "coupon_quote": return zv.CouponQuote(request);
            case "consume": return zv.Consume(request);
            case "reverse": return zv.Reverse(request);
            case "lookup": return zv.Lookup(request);
            case "pending": return zv.Pending(request);
            case "recover": return zv.Recover(request);
            case "confirm": return zv.Confirm(request);
            case "settle": return zv.Settle(request);
            case "biz_id": return zv.MakeBizId();
            case "shutdown": return zv.Shutdown();
            default: throw new ArgumentException("no such call: " + name);
        }
    }

    static Answer Init(string request)
    {
        try
        {
            return Zv.Start(request).Started;
        }
        catch (ZvException refused)
        {
            return refused.Answer;
        }
    }

    /// The answer against what is expected of it.
    static string Held(string call, Answer answer)
    {
        var wrong = Differs("outcome", Answer.Field(call, "outcome"), answer["outcome"])
            ?? Differs("Outcome", Answer.Field(call, "outcome").Replace("_", ""), answer.Outcome.ToString().ToLowerInvariant());
        foreach (var field in Items(call, "fields"))
        {
            var path = Answer.Field(field, "0");
            wrong = wrong ?? Differs(path, Answer.Field(field, "1"), answer[path]);
        }
        return wrong == null ? null : wrong + " in " + answer;
    }

    static string Differs(string what, string expected, string found)
    {
        return expected == found ? null : what + " is \"" + found + "\", expected \"" + expected + "\"";
    }

    static string Until(bool wait, Func<string> check)
    {
        var watch = Stopwatch.StartNew();
        for (;;)
        {
            var wrong = check();
            if (wrong == null || !wait || watch.ElapsedMilliseconds > 40000) return wrong;
            Thread.Sleep(20);
        }
    }

    static IEnumerable<string> Items(string json, string path)
    {
        for (var at = 0; ; at++)
        {
            var item = Answer.Field(json, path + "." + at);
            if (item == "") yield break;
            yield return item;
        }
    }

    static string Http(string method, string path, string body)
    {
        var request = (HttpWebRequest)WebRequest.Create(admin + path);
        request.Method = method;
        request.KeepAlive = false;
        if (method == "POST")
        {
            var bytes = Encoding.UTF8.GetBytes(string.IsNullOrEmpty(body) ? "{}" : body);
            request.ContentType = "application/json";
            using (var stream = request.GetRequestStream()) stream.Write(bytes, 0, bytes.Length);
        }
        using (var response = request.GetResponse())
        using (var reader = new StreamReader(response.GetResponseStream())) return reader.ReadToEnd();
    }
}
