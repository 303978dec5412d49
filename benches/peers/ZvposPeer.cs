// The same quote through this library from C#. Usage: ZvposPeer.exe CONFIG_FILE
using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

static class ZvposPeer
{
    const CallingConvention C = CallingConvention.Cdecl;
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_init(byte[] config);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_coupon_quote_json(byte[] request);
    [DllImport("zvpos", CallingConvention = C)] static extern IntPtr zv_shutdown();
    [DllImport("zvpos", CallingConvention = C)] static extern int zv_outcome(byte[] response);
    [DllImport("zvpos", CallingConvention = C)]
    static extern UIntPtr zv_take(IntPtr response, byte[] buffer, UIntPtr capacity);

    static readonly byte[] Buffer = new byte[65536];

    static string Out(IntPtr response)
    {
        var length = (int)zv_take(response, Buffer, (UIntPtr)Buffer.Length);
        var text = Encoding.UTF8.GetString(Buffer, 0, length);
        if (zv_outcome(Buffer) != 0) throw new Exception(text);
        return text;
    }

    static void Main(string[] arguments)
    {
        Out(zv_init(Encoding.UTF8.GetBytes(File.ReadAllText(arguments[0]) + "\0")));
        string line;
        while ((line = Console.In.ReadLine()) != null)
        {
            var took = new StringBuilder();
            for (var left = int.Parse(line); left > 0; left--)
            {
                var begun = Stopwatch.GetTimestamp();
                var request = "{\"user_coupon_id\":\"390962138708451328\",\"user_id\":\"383933091455959041\",\"items\":"
                    + "[{\"num\":2,\"trade_mark\":\"201909280011111\",\"price\":\"13.50\"}]}\0";
                var text = Out(zv_coupon_quote_json(Encoding.UTF8.GetBytes(request)));
                if (!text.Contains("\"coupon_discount\":\"5.00\"")) throw new Exception(text);
                took.Append((Stopwatch.GetTimestamp() - begun) * (1000000000L / Stopwatch.Frequency)).Append('\n');
            }
            Console.Out.Write(took);
            Console.Out.Flush();
        }
        Out(zv_shutdown());
    }
}
