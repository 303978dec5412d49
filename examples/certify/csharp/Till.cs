// A till that passes `zv certify`: what an integrator's own program must keep, store, and do.
// The certifier plays the cashier: a JSON object a line on stdin, answered by JSON objects on stdout
// (docs/certify.md). Without a JSON parser: zv_field reads a value out of any JSON object.
// mcs Till.cs && LD_LIBRARY_PATH=target/release mono Till.exe
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;

static class Zv
{
    const CallingConvention C = CallingConvention.Cdecl;
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_init(byte[] config);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_coupon_quote_json(byte[] request);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_consume_json(byte[] request);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_lookup_json(byte[] request);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_confirm_json(byte[] request);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_reverse_json(byte[] request);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_pending_json(byte[] request);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_shutdown();
    [DllImport("zvpos", CallingConvention = C)] static extern UIntPtr zv_take(IntPtr answer, byte[] buffer, UIntPtr capacity);
    [DllImport("zvpos", CallingConvention = C)] static extern UIntPtr zv_field(byte[] json, byte[] path, byte[] buffer, UIntPtr capacity);

    public static string Init(string config) { return Out(zv_init(In(config))); }
    public static string Quote(string request) { return Out(zv_coupon_quote_json(In(request))); }
    public static string Consume(string request) { return Out(zv_consume_json(In(request))); }
    // With the identity of the journal: then the library can say that nothing was ever sent, or that it cannot know.
    public static string Lookup(string bizId, string journalId)
    {
        return Out(zv_lookup_json(In("{\"bizId\":\"" + bizId + "\",\"journal_id\":\"" + journalId + "\"}")));
    }
    public static string Confirm(string bizId) { return Out(zv_confirm_json(In(About(bizId)))); }
    public static string Reverse(string bizId) { return Out(zv_reverse_json(In(About(bizId)))); }
    public static string Pending(string request) { return Out(zv_pending_json(In(request))); }
    public static string Shutdown() { return Out(zv_shutdown()); }

    // One value of an answer, or of a line of the certifier. "" if it is not there.
    public static string Get(string json, string path)
    {
        var buffer = new byte[8192];
        var length = (int)zv_field(In(json), In(path), buffer, (UIntPtr)buffer.Length);
        return length < buffer.Length ? Encoding.UTF8.GetString(buffer, 0, length) : "";
    }

    static string About(string bizId) { return "{\"bizId\":\"" + bizId + "\"}"; }

    static byte[] In(string text) { return Encoding.UTF8.GetBytes(text + "\0"); }

    // Copies the answer and gives it back, once.
    static string Out(IntPtr answer)
    {
        var buffer = new byte[65536];
        var length = (int)zv_take(answer, buffer, (UIntPtr)buffer.Length);
        if (length >= buffer.Length)
        {
            buffer = new byte[length + 1];
            length = (int)zv_take(answer, buffer, (UIntPtr)buffer.Length);
        }
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}

class Sale
{
    public string Number, BizId, State = "retry", Paid = "0.00", Returned = "", JournalId = "", Request = "";
}

// The till's own sales: a line for each change, on disk before anything else happens. The last line of a sale counts.
class SaleFile
{
    readonly FileStream file;
    public readonly List<Sale> Sales = new List<Sale>();

    public SaleFile(string folder)
    {
        var path = Path.Combine(folder, "sales.txt");
        var text = File.Exists(path) ? File.ReadAllText(path) : "";
        var lines = text.Split('\n');
        foreach (var line in lines.Take(lines.Length - 1)) // what has no end was torn by a crash
        {
            var part = line.Split('\t');
            if (part.Length != 7) continue;
            Sales.RemoveAll(known => known.Number == part[0]);
            Sales.Add(new Sale { Number = part[0], BizId = part[1], State = part[2], Paid = part[3], Returned = part[4],
                JournalId = part[5], Request = part[6] });
        }
        file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        Write("\n"); // ends a torn line
    }

    public Sale Find(string number) { return Sales.Find(sale => sale.Number == number); }

    public void Store(Sale sale, string state)
    {
        sale.State = state;
        if (!Sales.Contains(sale)) Sales.Add(sale);
        Write(string.Join("\t", sale.Number, sale.BizId, sale.State, sale.Paid, sale.Returned, sale.JournalId, sale.Request) + "\n");
    }

    void Write(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        file.Write(bytes, 0, bytes.Length);
        file.Flush(true); // to the disk, not to the system's cache
    }
}

class Till
{
    string number, journalId;
    SaleFile file;

    void Start(string line)
    {
        number = Zv.Get(line, "till");
        file = new SaleFile(Zv.Get(line, "folder"));
        var answer = Zv.Init(Zv.Get(line, "config"));
        if (Zv.Get(answer, "outcome") != "succeeded") Console.Error.WriteLine(answer);
        journalId = Zv.Get(answer, "data.journal_id");
        foreach (var sale in file.Sales.ToArray()) // what a crash has left, or nobody knew
            if (IsUnsure(sale)) Look(sale);
        foreach (var bizId in Many(answer, "data.unacknowledged")) // a sale that this till has lost: a person must see it
            if (!file.Sales.Exists(sale => sale.BizId == bizId))
                Say("{\"note\":\"taken, but no sale of this till\",\"bizId\":\"" + bizId + "\"}");
    }

    void Sell(string line)
    {
        var sale = file.Find(Zv.Get(line, "sale"));
        if (sale == null) // the bizId: made once, unique over all tills, and kept with the sale
            sale = new Sale { Number = Zv.Get(line, "sale"), BizId = number + "-" + Zv.Get(line, "sale") };
        if (sale.State == "waiting")
            Look(sale);
        else if (sale.State == "retry" && (sale.Request != "" || MakeRequest(sale, line)))
        {
            sale.JournalId = journalId;
            file.Store(sale, "attempt"); // on disk before the call: after a crash there is a bizId to look up, and with which journal
            Judge(sale, Zv.Consume(sale.Request));
        }
        Show(sale);
    }

    // What is to be taken: with a basket less what the coupon is worth. False if the quote did not say that.
    bool MakeRequest(Sale sale, string line)
    {
        string member = Zv.Get(line, "customerId"), amount = Zv.Get(line, "amount");
        string coupons = Zv.Get(line, "coupons"), points = Zv.Get(line, "points"), items = Zv.Get(line, "items");
        if (items != "")
        {
            var quote = Zv.Quote("{\"user_coupon_id\":\"" + Zv.Get(line, "coupons.0") + "\",\"user_id\":\"" + member
                + "\",\"items\":" + items + ",\"usage_scenarios\":1}");
            if (Zv.Get(quote, "outcome") != "succeeded")
            {
                file.Store(sale, Zv.Get(quote, "next") == "retry" ? "retry" : "other_tender");
                return false;
            }
            amount = Text(Yuan(amount) - Yuan(Zv.Get(quote, "data.coupon_discount")));
        }
        sale.Request = "{\"bizId\":\"" + sale.BizId + "\",\"customerId\":\"" + member + "\""
            + (amount == "" ? "" : ",\"amount\":\"" + amount + "\"")
            + (coupons == "" ? "" : ",\"couponsCardList\":" + coupons)
            + (points == "" ? "" : ",\"points\":" + points) + "}";
        return true;
    }

    // From the library's answer to what becomes of the sale. `next` decides, nothing else.
    void Judge(Sale sale, string answer)
    {
        Console.Error.WriteLine(sale.Number + ": " + Zv.Get(answer, "cashier"));
        if (Zv.Get(answer, "next") == "store_then_confirm")
        {
            file.Store(sale, sale.State);
            answer = Zv.Confirm(sale.BizId);
        }
        switch (Zv.Get(answer, "next"))
        {
            case "complete_sale":
                var recharge = Zv.Get(answer, "data.change_recharge_amount");
                // Settled by a person there is no answer of the gateway: what was asked for was taken.
                sale.Paid = Text(recharge == "" ? Yuan(Zv.Get(sale.Request, "amount"))
                    : Yuan(recharge) + Yuan(Zv.Get(answer, "data.change_gift_amount")));
                sale.Returned = Zv.Get(answer, "data.bizId"); // the vendor reverses by this one
                file.Store(sale, "completed");
                break;
            case "other_tender": file.Store(sale, "other_tender"); break;
            case "new_bizid": file.Store(sale, "other_tender"); break; // a corrected sum is a new sale, with a bizId of its own
            case "retry": file.Store(sale, "retry"); break;
            case "wait": file.Store(sale, "waiting"); break;
            case "refunded": file.Store(sale, "refunded"); break; // a refund that had waited for a person
            default: file.Store(sale, "failed"); break; // fix_request, stop, lookup: a person
        }
    }

    void Look(Sale sale)
    {
        var answer = Zv.Lookup(sale.BizId, sale.JournalId);
        if (sale.State != "refunding")
        {
            Judge(sale, answer);
            return;
        }
        switch (Zv.Get(answer, "next"))
        {
            case "refunded": file.Store(sale, "refunded"); break;
            case "complete_sale": file.Store(sale, "completed"); break; // the gateway has refused, and the sale stands
            case "wait": file.Store(sale, "waiting"); break; // a person; everything else is on its way
        }
    }

    void Refund(string line)
    {
        var sale = file.Find(Zv.Get(line, "sale"));
        if (sale == null) return;
        if (sale.State == "completed")
        {
            file.Store(sale, "refunding");
            var outcome = Zv.Get(Zv.Reverse(sale.BizId), "outcome");
            if (outcome == "reversed") file.Store(sale, "refunded");
            else if (outcome != "unknown") file.Store(sale, "completed"); // unknown goes on by itself; else it stands
        }
        Show(sale);
    }

    void List()
    {
        foreach (var sale in file.Sales.ToArray())
        {
            if (IsUnsure(sale)) Look(sale);
            Show(sale);
        }
    }

    // Both ways: what was taken the till has completed, and what the till has completed was taken.
    void Day(string line)
    {
        var answer = Zv.Pending("{\"day\":\"" + Zv.Get(line, "day") + "\"}");
        var taken = new HashSet<string>();
        for (var i = 0; Zv.Get(answer, "data.entries." + i + ".next") != ""; i++)
        {
            var stage = Zv.Get(answer, "data.entries." + i + ".entry.stage");
            if (stage == "succeeded" || stage == "kept") taken.Add(Zv.Get(answer, "data.entries." + i + ".entry.bizId"));
        }
        taken.SymmetricExceptWith(file.Sales.Where(sale => sale.State == "completed").Select(sale => sale.BizId));
        foreach (var bizId in taken) Say("{\"difference\":\"" + bizId + "\"}");
    }

    static bool IsUnsure(Sale sale) { return sale.State == "attempt" || sale.State == "waiting" || sale.State == "refunding"; }

    static IEnumerable<string> Many(string json, string path)
    {
        for (var i = 0; ; i++)
        {
            var one = Zv.Get(json, path + "." + i);
            if (one == "") yield break;
            yield return one;
        }
    }

    // Money is decimal, never double, and written the same in every country.
    static decimal Yuan(string text) { return text == "" ? 0 : decimal.Parse(text, CultureInfo.InvariantCulture); }
    static string Text(decimal yuan) { return yuan.ToString("0.00", CultureInfo.InvariantCulture); }

    static void Say(string line) { Console.Out.WriteLine(line); Console.Out.Flush(); }

    static void Show(Sale sale)
    {
        Say("{\"sale\":\"" + sale.Number + "\",\"bizId\":\"" + sale.BizId + "\",\"result\":\"" + sale.State
            + "\",\"paid_by_member\":\"" + sale.Paid + "\",\"returnedBizId\":\"" + sale.Returned + "\"}");
    }

    static void Main()
    {
        var till = new Till();
        string line, verb = "";
        while (verb != "stop" && (line = Console.In.ReadLine()) != null)
        {
            verb = Zv.Get(line, "do");
            switch (verb)
            {
                case "start": till.Start(line); break;
                case "sell": till.Sell(line); break;
                case "refund": till.Refund(line); break;
                case "list": till.List(); break;
                case "day": till.Day(line); break;
                case "stop": Zv.Shutdown(); break;
            }
            Say("{\"done\":\"" + verb + "\"}");
        }
    }
}
