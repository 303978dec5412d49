// The same quote through this library's C# binding, as its page shows it. Usage: ZvposPeer.exe CONFIG_FILE
using System;
using System.Diagnostics;
using System.IO;
using System.Text;
using Zvpos;

static class ZvposPeer
{
    static void Main(string[] arguments)
    {
        using (var zv = Zv.Start(File.ReadAllText(arguments[0])))
        {
            string line;
            while ((line = Console.In.ReadLine()) != null)
            {
                var took = new StringBuilder();
                for (var left = int.Parse(line); left > 0; left--)
                {
                    var begun = Stopwatch.GetTimestamp();
                    var answer = zv.CouponQuote(new { user_coupon_id = "390962138708451328", user_id = "383933091455959041", items = new[] { new { num = 2, trade_mark = "201909280011111", price = 13.50m } } });
                    if (!answer.Succeeded || answer["data.coupon_discount"] != "5.00") throw new Exception(answer.Text);
                    took.Append((Stopwatch.GetTimestamp() - begun) * (1000000000L / Stopwatch.Frequency)).Append('\n');
                }
                Console.Out.Write(took);
                Console.Out.Flush();
            }
        }
    }
}
