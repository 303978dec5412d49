using System;

namespace Zvpos
{
    /// <summary>The library did not start, or an answer cannot be had. The message names
    /// all that is wrong. Never a declined payment: that is an <see cref="Answer"/>.</summary>
    public sealed class ZvException : Exception
    {
        internal ZvException(string message, Answer answer) : base(message)
        {
            Answer = answer;
        }

        /// <summary>What the library said; null where it said nothing.</summary>
        public Answer Answer { get; private set; }
    }
}
