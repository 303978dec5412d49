using System;
using System.Threading.Tasks;

namespace Zvpos
{
    /// <summary>
    /// The started library. A process has one: start it once and dispose of it when the program ends. A
    /// second start with the same configuration uses the first. Every method may be called from any thread.
    /// <para>A request is JSON text, or an object whose public properties (or a dictionary whose entries) have the
    /// vendor's field names. Money is decimal or text; ids are text.</para>
    /// <para>No method throws because a payment did not succeed: check <see cref="Answer.Outcome"/>.</para>
    /// </summary>
    public sealed class Zv : IDisposable
    {
        static readonly Tickets Tickets = new Tickets();

        Zv(Answer started)
        {
            Started = started;
        }

        /// <summary>Starts the library with this configuration. Leave charset out.</summary>
        /// <exception cref="ZvException">The configuration is wrong, or the library older than this class.</exception>
        public static Zv Start(object config)
        {
            Native.CheckVersion();
            var answer = Native.Out(Native.zv_init(Native.In(Json.Of(config))));
            if (!answer.Succeeded) throw new ZvException(answer.Code + ": " + answer.Message, answer);
            return new Zv(answer);
        }

        /// <summary>The answer to the start: warnings, data.journal, and in data.unacknowledged what must be looked up.</summary>
        public Answer Started { get; private set; }

        /// <summary>The library's version, such as 0.1.0.</summary>
        public static string Version
        {
            get { return Native.Version; }
        }

        /// <summary>Quotes a coupon for a basket. Charges nothing.</summary>
        public Answer CouponQuote(object request)
        {
            return Native.Out(Native.zv_coupon_quote_json(Native.In(Json.Of(request))));
        }

        /// <summary>Redeems coupons, charges stored balance, or both. The same bizId may be sent again and is never
        /// charged twice.</summary>
        public Answer Consume(object request)
        {
            return Native.Out(Native.zv_consume_json(Native.In(Json.Of(request))));
        }

        /// <summary>Reverses a complete consume (冲正).</summary>
        public Answer Reverse(object request)
        {
            return Native.Out(Native.zv_reverse_json(Native.In(Json.Of(request))));
        }

        /// <summary>Makes a bizId, in the answer's BizId: no two agree, and a look-up needs no journal_id with it.</summary>
        public Answer MakeBizId()
        {
            return Native.Out(Native.zv_biz_id());
        }

        /// <summary>Looks a bizId up in the journal. Sends nothing.</summary>
        public Answer Lookup(object request)
        {
            return Native.Out(Native.zv_lookup_json(Native.In(Json.Of(request))));
        }

        /// <summary>Lists the sales that are not settled; with a day, every sale of that day.</summary>
        public Answer Pending(object request = null)
        {
            return Native.Out(Native.zv_pending_json(Native.In(Json.Of(request))));
        }

        /// <summary>Settles every sale that can be settled now.</summary>
        public Answer Recover(object request = null)
        {
            return Native.Out(Native.zv_recover_json(Native.In(Json.Of(request))));
        }

        /// <summary>Reports that the till has stored its sale (option confirm).</summary>
        public Answer Confirm(object request)
        {
            return Native.Out(Native.zv_confirm_json(Native.In(Json.Of(request))));
        }

        /// <summary>Records a person's decision about a sale whose result is unknown.</summary>
        public Answer Settle(object request)
        {
            return Native.Out(Native.zv_settle_json(Native.In(Json.Of(request))));
        }

        /// <summary>Sends a query that charges nothing, such as member_lookup.</summary>
        public Answer Call(string action, object parameters)
        {
            return Native.Out(Native.zv_call_json(Native.In(action), Native.In(Json.Of(parameters))));
        }

        /// <summary>As <see cref="CouponQuote"/>, without blocking.</summary>
        public Task<Answer> CouponQuoteAsync(object request)
        {
            return StartAsync("coupon_quote", request);
        }

        /// <summary>As <see cref="Consume"/>, without blocking. A payment that was begun cannot be cancelled.</summary>
        public Task<Answer> ConsumeAsync(object request)
        {
            return StartAsync("consume", request);
        }

        /// <summary>As <see cref="Reverse"/>, without blocking.</summary>
        public Task<Answer> ReverseAsync(object request)
        {
            return StartAsync("reverse", request);
        }

        /// <summary>As <see cref="Call"/>, without blocking.</summary>
        public Task<Answer> CallAsync(string action, object parameters)
        {
            return StartAsync("call:" + action, parameters);
        }

        /// <summary>Any operation of zv_start_json, such as lookup. At most 64 at a time; beyond that NotSent.</summary>
        /// <exception cref="ZvException">In the task: the library was stopped by other code.</exception>
        public Task<Answer> StartAsync(string operation, object request)
        {
            return Tickets.Start(operation, Json.Of(request ?? "{}"));
        }

        /// <summary>Stops the library once every call has ended, each at its own deadline. data.still_running names
        /// the bizIds that could not be waited for.</summary>
        public Answer Shutdown()
        {
            return Tickets.Shutdown();
        }

        /// <summary>As <see cref="Shutdown"/>, unless somebody else had started the library.</summary>
        public void Dispose()
        {
            if (Started["already"] != "true") Shutdown();
        }
    }
}
