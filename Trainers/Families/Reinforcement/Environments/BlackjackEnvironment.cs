using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Blackjack (Sutton and Barto, example 5.1): draw cards up to 21, but closer to it than the dealer. The same rules as Gymnasium's
/// <c>Blackjack-v1</c>; cards are drawn with replacement.
/// </summary>
/// <remarks>
/// <para>
/// The state is (sum * 11 + dealer) * 2 + ace: the sum of the player's cards (0 to 31), the dealer's open card (1 to 10, 1 is an ace), and
/// whether the player has an ace that counts 11; it is Gymnasium's tuple as one number. Action 0 stops, 1 draws a card. An episode ends with
/// 1 for a win, 0 for a draw and -1 for a loss.
/// </para>
/// <para>
/// Whether 21 are the first two cards (a natural) is not seen, as in Gymnasium, but decides who wins. The model has states of its own for
/// naturals, numbered from 704 on.
/// </para>
/// </remarks>
public sealed class BlackjackEnvironment : TabularEnvironment
{
    private const int Sums = 32;
    private const int DealerCards = 11;
    private const int Observed21 = Sums * DealerCards * 2;
    private const int Stop = 0;
    private const int DealerStops = 17;

    /// <summary>Creates the environment.</summary>
    /// <param name="suttonAndBarto">
    /// Whether a natural beats every other hand of the dealer, as in the book (Gymnasium's <c>sab</c>). Default true.
    /// </param>
    /// <param name="naturalBonus">Whether a win with a natural gives 1.5. Only without <paramref name="suttonAndBarto"/>. Default false.</param>
    /// <exception cref="ArgumentException">Both are set.</exception>
    public BlackjackEnvironment(bool suttonAndBarto = true, bool naturalBonus = false)
        : base("Blackjack-v1", Observed21, Observed21 + DealerCards, actions: 2, Starts(), new Rules(suttonAndBarto, naturalBonus).Moves)
    {
        if (suttonAndBarto && naturalBonus)
            throw new ArgumentException($"{nameof(naturalBonus)} is true; the book's rules give no bonus. Set {nameof(suttonAndBarto)} to false, too.", nameof(naturalBonus));
    }

    /// <inheritdoc/>
    public override int Observed(int state) => state < Observed21 ? state : StateOf(21, state - Observed21, true);

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        var (sum, dealer, ace) = Parts(Observed(State));
        var canvas = new Canvas(72, 48, Canvas.Green);
        // A bar for the player's sum with a mark at 21, and one for the dealer's card.
        canvas.Rectangle(4, 28, 2 * sum, 12, sum > 21 ? Canvas.Red : ace ? Canvas.Orange : Canvas.White);
        canvas.Rectangle(4, 8, 2 * (dealer == 1 ? 11 : dealer), 12, Canvas.Ice);
        canvas.Rectangle(4 + (2 * 21), 4, 1, 40, Canvas.Black);
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText()
    {
        var (sum, dealer, ace) = Parts(Observed(State));
        return FormattableString.Invariant($"player {sum}{(ace ? " with an ace that counts 11" : "")}, dealer shows {(dealer == 1 ? "an ace" : dealer)}\n");
    }

    private static int StateOf(int sum, int dealer, bool ace) => (((sum * DealerCards) + dealer) * 2) + (ace ? 1 : 0);

    private static (int Sum, int Dealer, bool Ace) Parts(int state) => (state / (2 * DealerCards), state / 2 % DealerCards, state % 2 == 1);

    private static double Probability(int card) => card == 10 ? 4.0 / 13 : 1.0 / 13;

    /// <summary>The hand after a card.</summary>
    private static (int Sum, bool Ace) Add(int sum, bool ace, int card)
    {
        (sum, ace) = card == 1 && sum + 11 <= 21 ? (sum + 11, true) : (sum + card, ace);
        return sum > 21 && ace ? (sum - 10, false) : (sum, ace);
    }

    private static List<StateProbability> Starts()
    {
        var starts = new SortedDictionary<int, double>();
        for (var deal = 0; deal < 1000; deal++)
        {
            var (first, second, dealer) = ((deal / 100) + 1, (deal / 10 % 10) + 1, (deal % 10) + 1);
            var (sum, ace) = Add(0, false, first);
            (sum, ace) = Add(sum, ace, second);
            var state = sum == 21 ? Observed21 + dealer : StateOf(sum, dealer, ace);
            starts[state] = starts.GetValueOrDefault(state) + (Probability(first) * Probability(second) * Probability(dealer));
        }
        return starts.Select(start => new StateProbability(start.Key, start.Value)).ToList();
    }

    /// <summary>The model.</summary>
    private sealed class Rules
    {
        private readonly bool _suttonAndBarto;
        private readonly bool _naturalBonus;

        /// <summary>How probable the dealer's last sums are by the card that he shows: 17 to 21, 22 for more, 23 for a natural.</summary>
        private readonly double[][] _dealer = new double[DealerCards][];

        public Rules(bool suttonAndBarto, bool naturalBonus)
        {
            (_suttonAndBarto, _naturalBonus) = (suttonAndBarto, naturalBonus);
            for (var card = 1; card < DealerCards; card++)
            {
                _dealer[card] = new double[24];
                var (sum, ace) = Add(0, false, card);
                Play(_dealer[card], sum, ace, 1, cards: 1);
            }
        }

        public IEnumerable<StateTransition> Moves(int state, int action)
        {
            var natural = state >= Observed21;
            var (sum, dealer, ace) = natural ? (21, state - Observed21, true) : Parts(state);
            if (dealer == 0 || sum > 21 || (ace && sum < 11))
                return [new StateTransition(state, 1, 0, true)]; // no hand of a player in the game
            return action == Stop ? Compare(state, sum, dealer, natural) : Enumerable.Range(1, 10).Select(card =>
            {
                var (next, nextAce) = Add(sum, ace, card);
                return new StateTransition(StateOf(next, dealer, nextAce), Probability(card), next > 21 ? -1 : 0, next > 21);
            });
        }

        private static void Play(double[] ends, int sum, bool ace, double probability, int cards)
        {
            if (sum >= DealerStops && cards > 1)
            {
                ends[sum > 21 ? 22 : sum == 21 && cards == 2 ? 23 : sum] += probability;
                return;
            }
            for (var card = 1; card <= 10; card++)
            {
                var (next, nextAce) = Add(sum, ace, card);
                Play(ends, next, nextAce, probability * Probability(card), cards + 1);
            }
        }

        private IEnumerable<StateTransition> Compare(int state, int sum, int dealer, bool natural)
        {
            var (win, draw, loss) = (0.0, 0.0, 0.0);
            for (var end = DealerStops; end <= 23; end++)
            {
                var dealerSum = end switch { 22 => 0, 23 => 21, _ => end };
                if (sum > dealerSum || (natural && end != 23 && _suttonAndBarto))
                    win += _dealer[dealer][end];
                else if (sum == dealerSum)
                    draw += _dealer[dealer][end];
                else
                    loss += _dealer[dealer][end];
            }
            var reward = natural && _naturalBonus ? 1.5 : 1;
            return [new StateTransition(state, win, reward, true), new StateTransition(state, draw, 0, true), new StateTransition(state, loss, -1, true)];
        }
    }
}
