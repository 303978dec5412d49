using System.Collections.Generic;

namespace Zvpos
{
    /// <summary>An answer of the library. It stays valid after the library has stopped.</summary>
    public sealed class Answer
    {
        internal Answer(Outcome outcome, string text)
        {
            Outcome = outcome;
            Text = text;
        }

        /// <summary>What happened to the member's money.</summary>
        public Outcome Outcome { get; private set; }

        /// <summary>The whole answer as JSON, fit for a log.</summary>
        public string Text { get; private set; }

        /// <summary>It is <see cref="Zvpos.Outcome.Succeeded"/>. With the option confirm the sale is complete only when
        /// this is true of <see cref="Zv.Confirm"/>, too.</summary>
        public bool Succeeded
        {
            get { return Outcome == Outcome.Succeeded; }
        }

        /// <summary>The one action to take now, such as complete_sale or other_tender.</summary>
        public string Next
        {
            get { return this["next"]; }
        }

        /// <summary>The gateway's code, or one of the library's, which begin with ZV-.</summary>
        public string Code
        {
            get { return this["code"]; }
        }

        /// <summary>For the programmer and the log.</summary>
        public string Message
        {
            get { return this["message"]; }
        }

        /// <summary>One short sentence for the cashier.</summary>
        public string Cashier
        {
            get { return this["cashier"]; }
        }

        /// <summary>One value as text: names and positions joined by points, such as data.coupon_discount or
        /// errors.0.path. Lists and objects as JSON; "" where there is no such value.</summary>
        public string this[string path]
        {
            get { return Native.Field(Text, path); }
        }

        /// <summary>The items of a list, each as text, up to the first that is empty.</summary>
        public IEnumerable<string> Each(string path)
        {
            for (var at = 0; ; at++)
            {
                var item = this[path + "." + at];
                if (item == "") yield break;
                yield return item;
            }
        }

        /// <summary>One value of any JSON text, such as an item of <see cref="Each"/>.</summary>
        public static string Field(string json, string path)
        {
            return Native.Field(json, path);
        }

        /// <summary>The JSON.</summary>
        public override string ToString()
        {
            return Text;
        }
    }
}
