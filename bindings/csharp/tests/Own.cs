// What only this binding has: requests as objects, tasks, and what becomes of them when the library stops.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading.Tasks;
using Zvpos;

static class Own
{
    const string Member = "383933091455959041";

    [DllImport("zvpos", CallingConvention = CallingConvention.Cdecl)] static extern IntPtr zv_shutdown();
    [DllImport("zvpos", CallingConvention = CallingConvention.Cdecl)] static extern void zv_free(IntPtr response);

    public static readonly Dictionary<string, Func<Zv, string>> All = new Dictionary<string, Func<Zv, string>>
    {
        { "own-anonymous-object", AnonymousObject },
        { "own-dictionary", Dictionary },
        { "own-not-exact", NotExact },
        { "own-lists", Lists },
        { "own-second-start", SecondStart },
        { "own-answers-are-given-back", GivenBack },
        { "own-many-tasks", ManyTasks },
        { "own-shutdown-fetches-answers", ShutdownFetches },
        { "own-answer-lost", AnswerLost },
        { "own-start-names-the-reasons", StartNamesTheReasons }
    };

    static string AnonymousObject(Zv zv)
    {
        var answer = zv.Consume(new
        {
            bizId = "O-1", customerId = Member, amount = 23.10m, points = 5, remark = "\"小票\" \\ 1 🧾",
            couponsCardList = new[] { "390962138708451328" }, ip = (string)null
        });
        return answer.Succeeded && answer["data.change_recharge_amount"] == "23.10" ? null : answer.Text;
    }

    static string Dictionary(Zv zv)
    {
        var request = new Dictionary<string, object> { { "bizId", "O-1" }, { "customerId", Member }, { "amount", "1.00" } };
        var answer = zv.Consume(request);
        return answer.Succeeded && answer.Code == "0" && answer.Message != "" ? null : answer.Text;
    }

    static string NotExact(Zv zv)
    {
        try
        {
            return zv.Consume(new { bizId = "O-1", customerId = Member, amount = 0.1 }).Text;
        }
        catch (ArgumentException)
        {
        }
        try
        {
            return zv.Consume("{\"bizId\":\"O-1\"}\0").Text;
        }
        catch (ArgumentException)
        {
        }
        return zv.Lookup(new { bizId = "O-1" }).Code == "ZV-NOT-FOUND" ? null : "something was sent";
    }

    static string Lists(Zv zv)
    {
        var answer = zv.Consume(new { bizId = "O 1", amount = "1.005" });
        var paths = string.Join(" ", answer.Each("errors").Select(error => Answer.Field(error, "path")));
        return paths == "bizId amount customerId" && !answer.Each("warnings").Any() ? null : paths + " in " + answer;
    }

    static string SecondStart(Zv zv)
    {
        using (var second = Zv.Start(Cases.Config))
            if (second.Started["already"] != "true") return second.Started.Text;
        return zv.Pending().Succeeded ? null : "stopped by the second";
    }

    /// The library names after a start what nobody has given back, and so perhaps nobody read.
    static string GivenBack(Zv zv)
    {
        var paid = zv.Consume(new { bizId = "O-1", customerId = Member, amount = "1.00" });
        var later = zv.ConsumeAsync(new { bizId = "O-2", customerId = Member, amount = "1.00" }).Result;
        zv.Shutdown();
        using (var again = Zv.Start(Cases.Config))
            return paid.Succeeded && later.Succeeded && again.Started["data.unacknowledged"] == "[]" ? null : again.Started.Text;
    }

    static string ManyTasks(Zv zv)
    {
        var tasks = Enumerable.Range(0, 40).Select(number => zv.CouponQuoteAsync(new
        {
            user_coupon_id = "390962138708451328", user_id = Member,
            items = new[] { new { num = number + 1, trade_mark = "A", price = "28.00" } }
        })).ToArray();
        Task.WaitAll(tasks);
        return tasks.All(task => task.Result["data.coupon_discount"] == "5.00") ? null : tasks[0].Result.Text;
    }

    static string ShutdownFetches(Zv zv)
    {
        var task = zv.ConsumeAsync(new { bizId = "O-1~slow_body:1", customerId = Member, amount = "1.00" });
        zv.Shutdown();
        return task.Result.Succeeded ? null : task.Result.Text;
    }

    static string AnswerLost(Zv zv)
    {
        var task = zv.ConsumeAsync(new { bizId = "O-1~slow_body:1", customerId = Member, amount = "1.00" });
        lock (Turn()) zv_free(zv_shutdown());
        try
        {
            return "answered " + task.Result;
        }
        catch (AggregateException lost)
        {
            return lost.InnerException is ZvException ? null : lost.ToString();
        }
    }

    static string StartNamesTheReasons(Zv zv)
    {
        zv.Shutdown();
        try
        {
            using (Zv.Start(new { openId = "a", openKey = 7.5m, idle_ms = "x", lang = "en" })) return "started";
        }
        catch (ZvException refused)
        {
            var named = new[] { "ZV-CONFIG: ", "idle_ms must be ", "grantCode is missing: ", "; " };
            return named.All(refused.Message.Contains) ? null : refused.Message;
        }
    }

    /// While it is held nothing is fetched: so the answer is lost every time, not only now and then.
    static object Turn()
    {
        var tickets = typeof(Zv).GetField("Tickets", BindingFlags.NonPublic | BindingFlags.Static).GetValue(null);
        return tickets.GetType().GetField("turn", BindingFlags.NonPublic | BindingFlags.Instance).GetValue(tickets);
    }
}
