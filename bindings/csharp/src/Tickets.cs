using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Zvpos
{
    /// <summary>Calls that were started and whose answers are fetched as they come. No thread of the program waits:
    /// a timer asks for all of them, as long as there are any.</summary>
    internal sealed class Tickets
    {
        const int PollMs = 10;

        readonly object turn = new object();
        readonly Dictionary<string, TaskCompletionSource<Answer>> open = new Dictionary<string, TaskCompletionSource<Answer>>();
        readonly Timer timer;

        internal Tickets()
        {
            timer = new Timer(ignored => Tick());
        }

        internal Task<Answer> Start(string operation, string request)
        {
            byte[] operationBytes = Native.In(operation), requestBytes = Native.In(request);
            var source = new TaskCompletionSource<Answer>();
            lock (turn)
            {
                var answer = Native.Out(Native.zv_start_json(operationBytes, requestBytes));
                if (answer.Outcome == Outcome.Running)
                {
                    open.Add(answer["data.ticket"], source);
                    timer.Change(PollMs, Timeout.Infinite);
                }
                else source.SetResult(answer);
            }
            return source.Task;
        }

        /// <summary>Stops the library after fetching every answer: with the library a ticket would be gone, and with it
        /// the answer to a payment.</summary>
        internal Answer Shutdown()
        {
            lock (turn)
            {
                while (open.Count > 0)
                {
                    Poll();
                    if (open.Count > 0) Thread.Sleep(PollMs);
                }
                return Native.Out(Native.zv_shutdown());
            }
        }

        void Tick()
        {
            lock (turn)
            {
                Poll();
                if (open.Count > 0) timer.Change(PollMs, Timeout.Infinite);
            }
        }

        void Poll()
        {
            foreach (var ticket in new List<string>(open.Keys))
            {
                var answer = Native.Out(Native.zv_poll_json(Native.In(ticket)));
                if (answer.Outcome == Outcome.Running) continue;
                var source = open[ticket];
                open.Remove(ticket);
                // The program's own code runs without the lock.
                ThreadPool.QueueUserWorkItem(ignored => Complete(source, answer));
            }
        }

        /// <summary>A ticket that is gone says nothing about its payment.</summary>
        static void Complete(TaskCompletionSource<Answer> source, Answer answer)
        {
            var code = answer.Code;
            if (code == "ZV-NO-TICKET" || code == "ZV-SHUT-DOWN" || code == "ZV-NOT-INIT")
                source.SetException(new ZvException("the library was stopped before the answer was fetched; start it and look the bizId up", answer));
            else source.SetResult(answer);
        }
    }
}
