// What a C# programmer would write: one HttpClient, HMACSHA1. Usage: HttpPeer.exe URL
using System;
using System.Diagnostics;
using System.Net.Http;
using System.Security.Cryptography;
using System.Text;

static class HttpPeer
{
    const string OpenId = "fake-open-id-for-test-only-0001", GrantCode = "fake-grant-code-0001";
    static readonly byte[] OpenKey = Encoding.UTF8.GetBytes("fake-open-key-for-test-only-0001");
    static readonly Random Random = new Random();

    static string Body()
    {
        var timestamp = ((long)(DateTime.UtcNow - new DateTime(1970, 1, 1)).TotalSeconds).ToString();
        var nonce = Random.Next(1, 1000000000).ToString();
        var text = "grantCode=" + GrantCode + "&nonce=" + nonce + "&openId=" + OpenId + "&timestamp=" + timestamp;
        string token;
        using (var mac = new HMACSHA1(OpenKey))
            token = Uri.EscapeDataString(Convert.ToBase64String(mac.ComputeHash(Encoding.UTF8.GetBytes(text))));
        return "{\"OpenId\":\"" + OpenId + "\",\"GrantCode\":\"" + GrantCode + "\",\"Token\":\"" + token
            + "\",\"Timestamp\":\"" + timestamp + "\",\"Nonce\":\"" + nonce + "\",\"Action\":\"user.user-by-coupon\","
            + "\"Params\":{\"user_coupon_id\":\"390962138708451328\",\"user_id\":\"383933091455959041\",\"items\":"
            + "[{\"num\":\"2\",\"trade_mark\":\"201909280011111\",\"price\":\"13.50\"}]}}";
    }

    static void Main(string[] arguments)
    {
        var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        string line;
        while ((line = Console.In.ReadLine()) != null)
        {
            var took = new StringBuilder();
            for (var left = int.Parse(line); left > 0; left--)
            {
                var begun = Stopwatch.GetTimestamp();
                var content = new StringContent(Body(), Encoding.UTF8, "application/json");
                var response = client.PostAsync(arguments[0], content).Result;
                response.EnsureSuccessStatusCode();
                var text = response.Content.ReadAsStringAsync().Result;
                // In its favour: the answer is only searched, not parsed.
                if (!text.Contains("\"coupon_discount\":\"5.00\"")) throw new Exception(text);
                took.Append((Stopwatch.GetTimestamp() - begun) * (1000000000L / Stopwatch.Frequency)).Append('\n');
            }
            Console.Out.Write(took);
            Console.Out.Flush();
        }
    }
}
